-- Cluster, the first half of a rotation: ends a session and answers what it was, as it is at this moment.
--
-- KEYS[1]  the session
-- KEYS[2]  its trail, if it leaves one
-- ARGV[4]  the owner that it is believed to have, or empty
-- ARGV[5]  the session as the index names it
-- ARGV[6]  what the trail says
-- ARGV[7]  when the trail ends
--
-- Answers 'taken' and the session; 'gone'; 'owner' if it has another one.
local found = found_at(KEYS[1])
if not found.live then return {'gone'} end
if found.owner ~= ARGV[4] then return {'owner'} end
local record = redis.call('GET', KEYS[1])
redis.call('DEL', KEYS[1])
leave_trail(KEYS[2], ARGV[6], ARGV[7])
announce(ARGV[5])
return {'taken', record}
