--[[ Drop the events of an outbox up to and including one, if the caller still has the right to relay it.

  KEYS[1]   relay:{<warehouse>}    string: who relays
  KEYS[2]   outbox:{<warehouse>}   stream of inventory events
  ARGV[1]   who asks
  ARGV[2]   id of the first entry to keep
  Returns   { outcome }
    TRIMMED   it is done
    TAKEN     somebody else relays now ]]
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return { 'TAKEN' }
end
redis.call('XTRIM', KEYS[2], 'MINID', '=', ARGV[2])
return { 'TRIMMED' }
