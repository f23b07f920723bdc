--[[ The orders that are to be read again now. Those that ended long ago, or were open for too long, are forgotten.

  KEYS[1]  intake-open:{<channel>/<shop>}       hash: see assign.lua
  KEYS[2]  intake-open-due:{<channel>/<shop>}   sorted set: order id by the time when it is to be read again
  ARGV[1]  now, unix ms   ARGV[2] most of them   ARGV[3] forget those without news since then, unix ms
  Returns  "#marks", how many were forgotten, how many there are, then id, stamp, edition of each ]]
local answer, forgotten = {tonumber(redis.call('HGET', KEYS[1], '#marks') or 0), 0, 0}, 0
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])) do
  local known = redis.call('HGET', KEYS[1], id) or '0 0 Z 0 0 ?'
  local stamp, edition, flag, since = string.match(known, '^(%d+) (%d+) (%a) (%d+)')
  if flag == 'Z' or tonumber(since) < tonumber(ARGV[3]) then
    redis.call('HDEL', KEYS[1], id)
    redis.call('ZREM', KEYS[2], id)
    forgotten = forgotten + 1
  else
    answer[#answer + 1] = id
    answer[#answer + 1] = tonumber(stamp)
    answer[#answer + 1] = tonumber(edition)
  end
end
answer[2] = forgotten
answer[3] = redis.call('ZCARD', KEYS[2])
return answer
