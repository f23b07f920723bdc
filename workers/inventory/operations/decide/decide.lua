--[[ Write down what became of a person's decision about an order, once, and what stands of all of them since.

  KEYS[1]   order:{<order uid>}       hash: revision, phase, standing, decided, issued, and more
  KEYS[2]   decisions:{<order uid>}   hash: what became of each decision, by its id
  ARGV[1]   id of the decision
  ARGV[2]   revision of the order for which it was decided; "" when it was not known
  ARGV[3]   how many decisions stood then
  ARGV[4]   what became of it
  ARGV[5]   what stands now; "" when it changes nothing
  ARGV[6]   the revision under which the order is decided anew; "" when it changes nothing
  ARGV[7]   how long to remember, ms
  ARGV[8]   how many decisions of one order are remembered
  Returns   { outcome, ... }
    DECIDED   it is written down
    REPEAT    answer: it was before, and this is what became of it
    MOVED     the order is another by now, or is being worked on: look again
    FULL      there are too many of them; nothing is written down ]]
local before = redis.call('HGET', KEYS[2], ARGV[1])
if before then
  return { 'REPEAT', before }
end
if redis.call('HLEN', KEYS[2]) >= tonumber(ARGV[8]) then
  return { 'FULL' }
end
local found = redis.call('HMGET', KEYS[1], 'revision', 'phase', 'decided')
if (found[1] or '') ~= ARGV[2] or (found[3] or '0') ~= ARGV[3] then
  return { 'MOVED' }
end
if ARGV[5] ~= '' then
  if found[2] ~= 'settled' then
    return { 'MOVED' }
  end
  redis.call('HSET', KEYS[1], 'standing', ARGV[5], 'decided', ARGV[3] + 1, 'issued', ARGV[6])
end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[7])
return { 'DECIDED' }
