-- Cluster: removes entries from an index that are known to be dead for ever, and has it stay no longer than
-- its last entry.
--
-- KEYS[1]  the index
-- ARGV[4] and on: the entries
for at = 4, #ARGV do
  redis.call('ZREM', KEYS[1], ARGV[at])
end
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2]
if last and last ~= 'inf' then keep_for(KEYS[1], tonumber(last)) end
return redis.status_reply('OK')
