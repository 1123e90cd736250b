-- Moves a session to another key, one server: at every moment one of the two keys is live.
--
-- KEYS[1]  the old key
-- KEYS[2]  the new key
-- KEYS[3]  the trail of the old one, if it leaves one
-- ARGV[4]  the session as the index names it, old
-- ARGV[5]  the same, new
-- ARGV[6]  its times from now on
-- ARGV[7]  what the trail says
-- ARGV[8]  when the trail ends
--
-- Answers 'moved' with the version; 'exists'; 'gone'.
local from, to = KEYS[1], KEYS[2]
local found = found_at(from)
if not found.live then return {'gone'} end
local taken = found_at(to)
if from == to or taken.live then return {'exists'} end

unlist(taken.owner, ARGV[5])
redis.call('RENAME', from, to)
redis.call('SETRANGE', to, '27', ARGV[6])
local expires_at = sub(ARGV[6], 1, 20)
keep_until(to, expires_at)
unlist(found.owner, ARGV[4])
list(found.owner, ARGV[5], expires_at)
leave_trail(KEYS[3], ARGV[7], ARGV[8])
announce(ARGV[4])
return {'moved', sub(found.head, 8, 27)}
