-- Moves a session to another key, one server: at every moment one of the two keys is live.
--
-- KEYS[1]  the old key
-- KEYS[2]  the new key
-- ARGV[3]  the session as the index names it, old
-- ARGV[4]  the same, new
-- ARGV[5]  when it expires from now on, or empty
-- ARGV[6] and on: names and values of its times
--
-- Answers 'moved' with the version; 'exists'; 'gone'.
local from, to = KEYS[1], KEYS[2]
local found = redis.call('HMGET', from, 'version', 'expires_at', 'owner')
if not is_live(found[1], found[2]) then return {'gone'} end
local taken = redis.call('HMGET', to, 'version', 'expires_at', 'owner')
if from == to or is_live(taken[1], taken[2]) then return {'exists'} end

unlist(taken[3], ARGV[4])
redis.call('RENAME', from, to)
redis.call('HDEL', to, 'authenticated_at', 'ends_at', 'idle_timeout_ms', 'expires_at')
redis.call('HSET', to, unpack(ARGV, 6))
local expires_at = filled(ARGV[5])
keep_until(to, expires_at)
unlist(found[3], ARGV[3])
list(found[3], ARGV[4], expires_at)
return {'moved', found[1]}
