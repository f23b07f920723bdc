--[[ Let one process at a time tell people.

  KEYS[1]   turn:{notices}   string: who has the turn, until it expires
  ARGV[1]   who asks
  ARGV[2]   for how long, ms
  Returns   1: it is theirs for so long from now on; 0: another one's ]]
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
