-- Cluster: whether a session is live, and whose.
--
-- KEYS[1]  the session
--
-- Answers '1' or '0', and the owner.
local found = redis.call('HMGET', KEYS[1], 'version', 'expires_at', 'owner')
return {is_live(found[1], found[2]) and '1' or '0', found[3] or ''}
