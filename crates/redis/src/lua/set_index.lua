-- The end of `set`, where the index of an owner changes.
if former ~= owner then unlist(former, member) end
list(owner, member, sub(rest, 1, 20))
return version
