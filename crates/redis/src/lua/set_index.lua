-- The end of `set`, where the index of an owner changes.
if former ~= owner then unlist(former, member) end
list(owner, member, expires_at)
return version
