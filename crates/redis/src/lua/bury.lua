-- Cluster: sees to it that no session lives, now or later, under one entry of an index.
--
-- KEYS[1]  the session
-- KEYS[2]  the tombstone of the entry
-- ARGV[4]  the owner
-- ARGV[5]  the entry
-- ARGV[6]  'ended': a live session ends. 'tidied': a live session stays.
-- ARGV[7]  the session as the index names it
--
-- Answers 'live', 'ended', 'expired', or 'absent': then its write, should it be on its way, is going to
-- find the tombstone.
local found = fields(KEYS[1], 'version', 'expires_at', 'owner', 'entry')
if found[3] == ARGV[4] and found[4] == ARGV[5] then
  local live = is_live(found[1], found[2])
  if live and ARGV[6] ~= 'ended' then return {'live'} end
  redis.call('DEL', KEYS[1])
  if live then announce(ARGV[7]) end
  return {live and 'ended' or 'expired'}
end
if ARGV[6] == 'ended' then
  redis.call('SET', KEYS[2], 'ended', 'PX', TOMBSTONE)
else
  redis.call('SET', KEYS[2], 'tidied', 'PX', TOMBSTONE, 'NX')
end
return {'absent'}
