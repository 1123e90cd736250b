-- Cluster, the first half of a rotation: ends a session and answers what it was, as it is at this moment.
--
-- KEYS[1]  the session
-- ARGV[3]  the owner that it is believed to have, or empty
--
-- Answers 'taken' and its fields; 'gone'; 'owner' if it has another one.
local found = redis.call('HMGET', KEYS[1], 'version', 'expires_at', 'owner')
if not is_live(found[1], found[2]) then return {'gone'} end
if (found[3] or '') ~= ARGV[3] then return {'owner'} end
local record = redis.call('HGETALL', KEYS[1])
redis.call('DEL', KEYS[1])
return {'taken', record}
