-- Writes a whole session if the expectation holds.
--
-- KEYS[1]  the session
-- KEYS[2]  cluster, with an index entry: the tombstone of that entry
-- ARGV[3]  'absent', 'present' or a version
-- ARGV[4]  the session as the index names it
-- ARGV[5]  cluster: the index entry made for this write; empty if none was
-- ARGV[6]  the owner, or empty
-- ARGV[7]  when the session expires, or empty
-- ARGV[8]  cluster: the latest time that it can expire without being written again, or empty
-- ARGV[9]  the version of a session that begins: 1, or what a rotation carries over
-- ARGV[10] and on: names and values of its fields
--
-- Answers 'stored' with the version and with the owner and the entry that it had until now; 'exists';
-- 'gone'; 'conflict' with the version; 'index' if an entry has to be made first; 'buried' with the reason.
local key, tombstone = KEYS[1], KEYS[2]
local expect, member, entry = ARGV[3], ARGV[4], ARGV[5]
local owner, expires_at, bound = filled(ARGV[6]), filled(ARGV[7]), filled(ARGV[8])

local found = redis.call('HMGET', key, 'version', 'expires_at', 'owner', 'entry', 'bound')
local live = is_live(found[1], found[2])
if expect == 'absent' then
  if live then return {'exists'} end
elseif not live then
  return {'gone'}
elseif expect ~= 'present' and expect ~= found[1] then
  return {'conflict', found[1]}
end

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

local version = ARGV[9]
if live then version = string.format('%.0f', tonumber(found[1]) + 1) end
if found[1] then redis.call('DEL', key) end
redis.call('HSET', key, 'version', version, unpack(ARGV, 10))
if entry ~= '' then
  redis.call('HSET', key, 'entry', entry)
  if bound then redis.call('HSET', key, 'bound', bound) end
end
keep_until(key, expires_at)
if found[3] and found[3] ~= owner then unlist(found[3], member) end
list(owner, member, expires_at)
return {'stored', version, old_entry and found[3] or '', old_entry or ''}
