--[[ Read hashes of one warehouse as they are at one number of its events: nothing changes between two of them.

  KEYS[1]   sequence:{<warehouse>}    number of the last event
  KEYS[2]   deadlines:{<warehouse>}   sorted set: order uid by deadline
  KEYS[3..] the hashes to read
  ARGV[1..] order uids, one per hash, when the hashes are reservations; none else
  Returns   { outcome, ... }
    READ    sequence, then per hash two values: its fields and their values, or text when it is no hash; and the order's
            deadline, "" when the list does not name it ]]
local answer = { 'READ', redis.call('GET', KEYS[1]) or '0' }
for i = 3, #KEYS do
  local fields = redis.pcall('HGETALL', KEYS[i])
  answer[#answer + 1] = fields.err or fields
  local deadline = ARGV[i - 2] and redis.pcall('ZSCORE', KEYS[2], ARGV[i - 2]) or ''
  answer[#answer + 1] = type(deadline) == 'string' and deadline or ''
end
return answer
