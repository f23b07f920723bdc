--[[ A WMS gave back what a change has replaced, maybe before it read the change: remember what it said with the order.
  It takes effect if that change, and every other one since, is refused; a repeat of a refusal finds it again.

  KEYS[1]   order:{<order uid>}   hash: revision, fence, phase, intent, state, holdings, routed, source, said:<revision>,
                                  heard:<warehouse>:<revision>, overtaken:<warehouse>
  ARGV[1]   warehouse
  ARGV[2]   revision of the instruction that it gave back
  ARGV[3]   message: the WMS's own id of what it tells
  ARGV[4]   what it told, JSON
  ARGV[5]   how much may be remembered of one warehouse, bytes
  Returns   { outcome }
    REMEMBERED   it is done
    REPEAT       this message was here before
    FULL         no more is remembered: what came before it makes the order go on all the same
    UNKNOWN      nobody knows the order (any more) ]]
local field = 'overtaken:' .. ARGV[1]
local found = redis.call('HMGET', KEYS[1], 'revision', field)
if not found[1] then
  return { 'UNKNOWN' }
end
local kept = cjson.decode(found[2] or '[]')
for i = 1, #kept do
  if kept[i].revision == ARGV[2] and kept[i].message == ARGV[3] then
    return { 'REPEAT' }
  end
end
kept[#kept + 1] = { revision = ARGV[2], message = ARGV[3], event = ARGV[4] }
local packed = cjson.encode(kept)
if #packed > tonumber(ARGV[5]) then
  return { 'FULL' }
end
redis.call('HSET', KEYS[1], field, packed)
return { 'REMEMBERED' }
