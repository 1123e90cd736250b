-- Moves a session to another key, one server: at every moment one of the two keys is live.
--
-- KEYS[1]  the old key
-- KEYS[2]  the new key
-- KEYS[3]  the trail of the old one, if it leaves one
-- ARGV[4]  the session as the index names it, old
-- ARGV[5]  the same, new
-- ARGV[6]  when it expires from now on, or empty
-- ARGV[7]  what the trail says
-- ARGV[8]  when the trail ends
-- ARGV[9] and on: names and values of its times
--
-- Answers 'moved' with the version; 'exists'; 'gone'.
local from, to = KEYS[1], KEYS[2]
local found = redis.call('HMGET', from, 'version', 'expires_at', 'owner')
if not is_live(found[1], found[2]) then return {'gone'} end
local taken = redis.call('HMGET', to, 'version', 'expires_at', 'owner')
if from == to or is_live(taken[1], taken[2]) then return {'exists'} end

unlist(taken[3], ARGV[5])
redis.call('RENAME', from, to)
redis.call('HDEL', to, 'expires_at')
redis.call('HSET', to, unpack(ARGV, 9))
local expires_at = filled(ARGV[6])
keep_until(to, expires_at)
unlist(found[3], ARGV[4])
list(found[3], ARGV[5], expires_at)
leave_trail(KEYS[3], ARGV[7], ARGV[8])
announce(ARGV[4])
return {'moved', found[1]}
