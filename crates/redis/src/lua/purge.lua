-- Removes a session if it has expired.
--
-- KEYS[1]  the session
-- ARGV[4]  the session as the index names it
--
-- Answers whether it was removed, its owner and its index entry.
local found = session_at(KEYS[1])
if found.head == '' or found.live then return {'0', '', ''} end
redis.call('DEL', KEYS[1])
unlist(found.owner, ARGV[4])
return {'1', found.owner, found.entry}
