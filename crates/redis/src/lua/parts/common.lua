-- Stands before every script but `set`, which has fewer arguments. A script is one step: nobody sees or changes
-- anything in the middle of it.
--
-- ARGV[1]  the time now, by the application's clock. Redis' own clock decides nothing.
-- ARGV[2]  what the keys of the owners' indexes begin with. Empty on a cluster: there the index of an owner
--          lives in another slot than the session, and the store writes it in a step of its own.
-- ARGV[3]  the channel on which endings are announced, or empty
local now, index_prefix, channel = ARGV[1], ARGV[2], ARGV[3]

-- How long a tombstone holds: much longer than any command can be on its way.
local TOMBSTONE = 3600000

-- An argument, or false if it is empty.
local function filled(argument)
  return argument and argument ~= '' and argument
end

-- Tells all listeners that a session ended or moved. Only a hint: if it cannot be sent, what was done is done.
local function announce(member)
  if channel ~= '' then redis.pcall('PUBLISH', channel, member) end
end
