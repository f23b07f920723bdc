--[[ A WMS follows a change, or an order that was told anew: it ships nothing as it was told before, and what it had given
  back of earlier instructions, before it read this one, is void.

  KEYS[1]   order:{<order uid>}   hash: revision, fence, phase, intent, state, holdings, routed, source, said:<revision>,
                                  heard:<warehouse>:<revision>, overtaken:<warehouse>, followed:<warehouse>
  ARGV[1]   warehouse
  ARGV[2]   revision of the instruction
  Returns   { outcome }
    FORGOTTEN   it is done; the ids of the messages stay, so that repeats of them are not remembered anew
    NOTHING     nothing was remembered of earlier instructions ]]
-- @include workers.inventory.operations.shared:revision.lua
local field, follows = 'overtaken:' .. ARGV[1], 'followed:' .. ARGV[1]
local found = redis.call('HMGET', KEYS[1], 'revision', follows)
if found[1] and is_older(found[2] or '', ARGV[2]) then
  redis.call('HSET', KEYS[1], follows, ARGV[2])
end
local kept = cjson.decode(redis.call('HGET', KEYS[1], field) or '[]')
local some
for i = 1, #kept do
  if kept[i].event ~= '' and is_older(kept[i].revision, ARGV[2]) then
    kept[i].event, some = '', true
  end
end
if not some then
  return { 'NOTHING' }
end
redis.call('HSET', KEYS[1], field, cjson.encode(kept))
return { 'FORGOTTEN' }
