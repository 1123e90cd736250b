-- Ends a session, live or not, decodable or not.
--
-- KEYS[1]  the session
-- KEYS[2]  cluster: the pass of a session that is moving there; left out if it was taken away already
-- ARGV[4]  the session as the index names it
--
-- Answers whether it was live, its owner and its index entry.
local found = session_at(KEYS[1])
redis.call('DEL', unpack(KEYS))
unlist(found.owner, ARGV[4])
if found.live then announce(ARGV[4]) end
return {found.live and '1' or '0', found.owner, found.entry or ''}
