--[[ Read what orders have in one warehouse: for many at once a fraction of what as many commands cost their caller.

  KEYS[1..] reservation:{<warehouse>}:<order uid>   hash: revision, fence, state, deadline, lines, shipped, stop, wms:<message>
  Returns   per key { revision, fence, state, deadline, lines }, or { } where it is no hash ]]
local rows = {}
for i = 1, #KEYS do
  local row = redis.pcall('HMGET', KEYS[i], 'revision', 'fence', 'state', 'deadline', 'lines')
  rows[i] = row.err and {} or row
end
return rows
