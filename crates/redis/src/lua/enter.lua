-- Cluster: makes an index entry before its session is written, or has that of a session last longer.
--
-- KEYS[1]  the index
-- ARGV[4]  the entry
-- ARGV[5]  the latest time that the session can expire
-- ARGV[6]  '1': for a session that has noted the entry
--
-- Answers some entries that are due; for a session that has noted it '1' if the entry was there, or '0'.
if ARGV[6] == '1' then
  local score = redis.call('ZSCORE', KEYS[1], ARGV[4])
  local asked = ARGV[5] == NEVER and math.huge or number(ARGV[5])
  -- Another use has made it last longer meanwhile.
  if score and tonumber(score) > asked then return {'1'} end
  put(KEYS[1], ARGV[4], ARGV[5])
  return {score and '1' or '0'}
end
put(KEYS[1], ARGV[4], ARGV[5])
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', number(now)), 'LIMIT', 0, 16)
