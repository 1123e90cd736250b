-- Cluster: whether a session is live, and whose.
--
-- KEYS[1]  the session
--
-- Answers '1' or '0', and the owner.
local found = found_at(KEYS[1])
return {found.live and '1' or '0', found.owner}
