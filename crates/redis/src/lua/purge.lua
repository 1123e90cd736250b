-- Removes a session if it has expired.
--
-- KEYS[1]  the session
-- ARGV[4]  the session as the index names it
--
-- Answers whether it was removed, its owner and its index entry.
local found = fields(KEYS[1], 'version', 'expires_at', 'owner', 'entry')
if not found[1] or is_live(found[1], found[2]) then return {'0', '', ''} end
redis.call('DEL', KEYS[1])
unlist(found[3], ARGV[4])
return {'1', found[3] or '', found[4] or ''}
