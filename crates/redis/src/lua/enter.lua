-- Cluster: makes an index entry before its session is written, or has it last longer.
--
-- KEYS[1]  the index
-- ARGV[4]  the entry
-- ARGV[5]  the latest time that the session can expire
-- ARGV[6]  '1': only if the entry is there already
--
-- Answers some entries that are due.
if ARGV[6] == '1' then
  local score = redis.call('ZSCORE', KEYS[1], ARGV[4])
  -- Its session died meanwhile, and so did the entry.
  if not score then return {} end
end
put(KEYS[1], ARGV[4], ARGV[5])
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', number(now)), 'LIMIT', 0, 16)
