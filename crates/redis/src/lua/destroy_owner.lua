-- Ends the live sessions of one owner, one server.
--
-- KEYS[1]  the index
-- ARGV[4]  the owner
-- ARGV[5…] sessions that are spared, as the index names them
--
-- Answers how many were live.
local spared = {}
for at = 5, #ARGV do
  spared[ARGV[at]] = true
end
local ended = 0
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if not spared[member] then
    local key = session_key(member)
    local found = session_at(key)
    if found.owner == ARGV[4] then
      if found.live then
        ended = ended + 1
        announce(member)
      end
      redis.call('DEL', key)
    end
    redis.call('ZREM', KEYS[1], member)
  end
end
return ended
