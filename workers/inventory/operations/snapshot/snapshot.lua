--[[ Read hashes of one warehouse as they are at one number of its events: nothing changes between two of them.

  KEYS[1]   sequence:{<warehouse>}      number of the last event
  KEYS[2]   deadlines:{<warehouse>}     sorted set: order uid by deadline
  KEYS[3..] stock:{<warehouse>}:<sku>   the hashes to read: counters, or reservations, or transfers
  ARGV[1..] of a reservation its order uid, of another hash "", one per hash
  Returns   { outcome, sequence, hashes, deadlines }
    READ    per hash its fields and values, or text when it is no hash; and the order's deadline, "" where the list
            does not name it ]]
local hashes, deadlines = {}, {}
for i = 3, #KEYS do
  local fields, order = redis.pcall('HGETALL', KEYS[i]), ARGV[i - 2]
  local deadline = order ~= '' and redis.pcall('ZSCORE', KEYS[2], order)
  if fields.err and not string.find(fields.err, 'WRONGTYPE', 1, true) then
    return redis.error_reply(fields.err) -- trouble of the server: the key is not to blame
  end
  hashes[i - 2] = fields.err or fields
  deadlines[i - 2] = type(deadline) == 'string' and deadline or ''
end
local sequence = redis.call('GET', KEYS[1]) or '0'
return { 'READ', sequence, hashes, deadlines }
