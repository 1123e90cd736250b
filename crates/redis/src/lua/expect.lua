-- Cluster, before a session moves to another key: whether that is free. If so, leaves a pass there, without which
-- nothing lands: whoever destroys what is on its way takes the pass away.
--
-- KEYS[1]  the key
-- KEYS[2]  the pass
-- ARGV[4]  what the pass says
-- ARGV[5]  how long it holds, in milliseconds
--
-- Answers '1' if a session is live there, or '0'.
local found = redis.call('HMGET', KEYS[1], 'version', 'expires_at')
if is_live(found[1], found[2]) then return {'1'} end
redis.call('SET', KEYS[2], ARGV[4], 'PX', ARGV[5])
return {'0'}
