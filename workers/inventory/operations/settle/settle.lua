--[[ Write down how one revision of an order ended, if its claim is still the last one.

  KEYS[1]   order:{<order uid>}   hash: revision, fence, phase, intent, state, holdings, routed, source, said:<revision>,
                                  returned
  ARGV[1]   revision
  ARGV[2]   fence: the number of the claim
  ARGV[3]   state
  ARGV[4]   holdings: units per warehouse and SKU, JSON
  ARGV[5]   routed: what each WMS was last told, JSON
  ARGV[6]   result: all that a repeat needs to say the same again; "" when there was nothing to say
  ARGV[7]   how long to remember the order, ms; 0 = as long as it lives
  ARGV[8]   source: where in orders.planned this revision stands
  Returns   { outcome }
    SETTLED   it is done, or was before: then what has happened since stays
    LOST      another claim came since ]]
local found = redis.call('HMGET', KEYS[1], 'revision', 'fence', 'phase', 'returned')
if found[1] ~= ARGV[1] or found[2] ~= ARGV[2] then
  return { 'LOST' }
end
if found[3] == 'settled' then
  return { 'SETTLED' }
end
redis.call('HSET', KEYS[1], 'phase', 'settled', 'intent', '', 'state', ARGV[3], 'holdings', ARGV[4], 'routed', ARGV[5],
  'source', ARGV[8])
if found[4] then
  redis.call('HDEL', KEYS[1], 'returned')
end
if ARGV[6] ~= '' then
  redis.call('HSET', KEYS[1], 'said:' .. ARGV[1], ARGV[6])
end
if ARGV[7] ~= '0' then
  redis.call('PEXPIRE', KEYS[1], ARGV[7])
end
return { 'SETTLED' }
