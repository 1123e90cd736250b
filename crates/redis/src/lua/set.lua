-- Writes a whole session if the expectation holds.
--
-- KEYS[1]  the session
-- KEYS[2]  cluster, with an index entry: the tombstone of that entry
-- KEYS[last]  cluster, the second half of a rotation: the passes
-- ARGV[4]  'absent', 'present' or a version
-- ARGV[5]  the session as the index names it
-- ARGV[6]  cluster: the index entry made for this write; empty if none was
-- ARGV[7]  the owner, or empty
-- ARGV[8]  when the session expires, or empty
-- ARGV[9]  cluster: the latest time that it can expire without being written again, or empty
-- ARGV[10]  the version of a session that begins: 1, or what a rotation carries over
-- ARGV[11] cluster, the second half of a rotation: what the pass says; otherwise empty
-- ARGV[12] and on: names and values of its fields
--
-- Answers 'stored' with the version and with the owner and the entry that it had until now; 'exists';
-- 'gone'; 'conflict' with the version; 'index' if an entry has to be made first; 'buried' with the reason.
local key, tombstone = KEYS[1], KEYS[2]
local expect, member, entry = ARGV[4], ARGV[5], ARGV[6]
local owner, expires_at, bound = filled(ARGV[7]), filled(ARGV[8]), filled(ARGV[9])

local found = redis.call('HMGET', key, 'version', 'expires_at', 'owner', 'entry', 'bound')
local live = is_live(found[1], found[2])
if expect == 'absent' then
  if live then return {'exists'} end
elseif not live then
  return {'gone'}
elseif expect ~= 'present' and expect ~= found[1] then
  return {'conflict', found[1]}
end

local pass = filled(ARGV[11])
-- Somebody who knew where the session was going ended it.
if pass and redis.call('SISMEMBER', KEYS[#KEYS], pass) == 0 then return {'buried', 'ended'} end

local old_entry = found[4]
if owner and index_prefix == '' then
  if entry ~= '' then
    local reason = redis.call('GET', tombstone)
    if reason then return {'buried', reason} end
  elseif live and found[3] == owner and old_entry and covers(found[5], bound) then
    -- The entry that is there will do.
    entry, bound, old_entry = old_entry, found[5], false
  else
    return {'index'}
  end
end

local version = ARGV[10]
if live then version = string.format('%.0f', tonumber(found[1]) + 1) end
if found[1] then redis.call('DEL', key) end
redis.call('HSET', key, 'version', version, unpack(ARGV, 12))
if entry ~= '' then
  redis.call('HSET', key, 'entry', entry)
  if bound then redis.call('HSET', key, 'bound', bound) end
end
keep_until(key, expires_at)
if pass then redis.call('DEL', KEYS[#KEYS]) end
if found[3] and found[3] ~= owner then unlist(found[3], member) end
list(owner, member, expires_at)
return {'stored', version, old_entry and found[3] or '', old_entry or ''}
