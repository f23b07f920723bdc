--[[ Move a shop's cursor, only for the newest lease holder and only from where it believes the cursor stands.

  KEYS[1]  intake-cursor:{<channel>/<shop>}   integer: everything modified before it is stored, unix ms
  KEYS[2]  intake-fence:{<channel>/<shop>}    integer: the greatest fencing number handed out
  ARGV[1]  the caller's fencing number   ARGV[2] where it believes the cursor stands, "" = nowhere   ARGV[3] the new cursor
  Returns  outcome   ADVANCED | FENCED | MOVED ]]
if redis.call('GET', KEYS[2]) ~= ARGV[1] then
  return 'FENCED'
end
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[2] then
  return 'MOVED'
end
redis.call('SET', KEYS[1], ARGV[3])
return 'ADVANCED'
