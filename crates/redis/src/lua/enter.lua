-- Cluster: makes an index entry before its session is written, or has it last longer.
--
-- KEYS[1]  the index
-- ARGV[3]  the entry
-- ARGV[4]  the latest time that the session can expire, or empty
-- ARGV[5]  '1': only if the entry is there already
--
-- Answers some entries that are due.
local bound = filled(ARGV[4])
if ARGV[5] == '1' then
  local score = redis.call('ZSCORE', KEYS[1], ARGV[3])
  -- Its session died meanwhile, and so did the entry.
  if not score then return {} end
end
put(KEYS[1], ARGV[3], bound)
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 16)
