-- wrk script: one new order.opened event per request. Arguments: key, milliseconds between two requests
-- of one connection (0: as fast as it goes).
local thread_count = 0

function setup(thread)
  thread:set("id", thread_count)
  thread_count = thread_count + 1
end

function init(args)
  key, pause, sent = args[1], tonumber(args[2]), 0
  started = os.time()
  head = { ["Authorization"] = "Bearer " .. key, ["Content-Type"] = "application/json" }
  item = '{"id":"i-1","item_type":"product","product_id":"100045","pricebook_price":100.0,"list_price":100.0,'
    .. '"item_discounts":0,"order_discounts":10.0,"tax":5.63,"quantity":1,"status":"opened","extended_attributes":[],'
    .. '"external_identifiers":{"sku":"100045","ean13":null},"shipping_service_level":"IN_STORE_HANDOVER",'
    .. '"discounts":[{"coupon_code":"LOY-7QK2","price_adjustment":10.0,"value":10.0,"action":"fixed","level":"order"}]}'
end

function delay()
  return pause
end

function request()
  sent = sent + 1
  local order = string.format("%d-%d-%d", started, id, sent)
  local body = '{"tenant":"acme-staging","name":"order.opened","published_at":"2026-03-04T15:22:07.318Z","payload":{'
    .. '"id":"' .. order .. '","external_id":"ACM000123","placed_at":"2026-03-04T15:19:58.000Z",'
    .. '"channel_type":"store","channel":"US_BOSTON_01","is_exchange":false,"is_historical":false,'
    .. '"customer_email":"mia@example.test","billing_address":null,"shipping_address":{"city":"Boston"},'
    .. '"price_method":"tax_excluded","grand_total":95.63,"currency":"USD","discounts":[{"coupon_code":"LOY-7QK2"}],'
    .. '"items":[' .. item .. ']}}'
  return wrk.format("POST", "/events/acme/newstore/", head, body)
end

function done(summary, latency, requests)
  local bad = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout
  io.write(string.format("RESULT %f %f %f %d\n", summary.requests / (summary.duration / 1e6),
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, bad))
end
