-- Removes from an index what is due and gone, one server, and has it stay no longer than its last entry.
--
-- KEYS[1]  the index
-- ARGV[4]  the owner
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', number(now)))) do
  -- Purging has removed the expired ones. One that expired since waits for the next time.
  if session_at(session_key(member)).owner ~= ARGV[4] then
    redis.call('ZREM', KEYS[1], member)
  end
end
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2]
if last == 'inf' then
  redis.call('PERSIST', KEYS[1])
elseif last then
  keep_for(KEYS[1], tonumber(last))
end
return redis.status_reply('OK')
