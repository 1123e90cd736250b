-- Cluster: sees to it that no session lives, now or later, under one entry of an index.
--
-- KEYS[1]  the session
-- KEYS[2]  the tombstone of the entry; left out if it is there already
-- ARGV[4]  the owner
-- ARGV[5]  the entry
-- ARGV[6]  'ended': a live session ends. 'tidied': a live session stays.
-- ARGV[7]  the session as the index names it
--
-- Answers 'live', 'ended', 'expired', or 'absent': then its write, should it be on its way, is going to
-- find the tombstone.
local found = session_at(KEYS[1])
if found.owner == ARGV[4] and found.entry == ARGV[5] then
  if found.live and ARGV[6] ~= 'ended' then return {'live'} end
  redis.call('DEL', KEYS[1])
  if found.live then announce(ARGV[7]) end
  return {found.live and 'ended' or 'expired'}
end
if KEYS[2] then mark(KEYS[2], ARGV[6]) end
return {'absent'}
