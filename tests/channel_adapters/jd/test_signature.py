"""JD signatures, against published vectors of both gateways."""

from __future__ import annotations

from channel_adapters.jd.signature import param_json, sign, sign_sp

ROUTER_PARAMETERS = {
    "method": "jingdong.pop.order.search",
    "access_token": "yourtoken",
    "app_key": "yourappkey",
    "timestamp": "2021-05-07 09:20:39.683+0800",
    "v": "2.0",
    "360buy_param_json": '{"end_date":null,"optional_fields":null,"order_state":"WAIT_SELLER_STOCK_OUT",'
    '"page":"1","page_size":"200","start_date":null}',
}


def test_a_routerjson_call_is_signed() -> None:
    assert sign(ROUTER_PARAMETERS, "yourappSecret") == "D70825340F4084360B9362B60DFD7930"


def test_the_order_of_parameters_does_not_matter() -> None:
    turned = dict(reversed(ROUTER_PARAMETERS.items()))
    assert sign(turned, "yourappSecret") == "D70825340F4084360B9362B60DFD7930"


def test_the_business_parameters_of_the_vector_are_written_as_it_has_them() -> None:
    parameters = {
        "start_date": None,
        "end_date": None,
        "order_state": "WAIT_SELLER_STOCK_OUT",
        "optional_fields": None,
        "page": "1",
        "page_size": "200",
    }
    assert param_json(parameters) == ROUTER_PARAMETERS["360buy_param_json"]


def test_an_sp_api_call_is_signed() -> None:
    assert sign({"a": "1", "b": "2"}, "secret") == "EF16F26C937CF52AE6F85DF2FD08B24A"


def test_an_sp_api_call_signs_its_headers_and_its_query() -> None:
    headers = {
        "X-JOS-App-Key": "offline-app",
        "X-JOS-Access-Token": "offline-token",
        "X-JOS-Timestamp": "1700000000000",
        "X-JOS-Request-Identity": "vender",
        "X-JOS-Sign": "not signed itself",
    }
    query = {
        "updateStartTime": "1700000000000",
        "updateEndTime": "1700000060000",
        "page": "1",
        "pageSize": "2",
    }
    for nothing in ("", "{}"):
        assert sign_sp(headers, query, nothing, "offline-secret") == "0627BD69EEC951A95E84A3A65FEB0AA2"
    assert sign_sp(headers, query, '{"a":1}', "offline-secret") != "0627BD69EEC951A95E84A3A65FEB0AA2"
