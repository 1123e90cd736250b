-- Removes a key that holds no session.
--
-- KEYS[1]  the key
redis.call('DEL', KEYS[1])
return redis.status_reply('OK')
