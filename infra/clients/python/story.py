"""A customer's story, told with the client that openapi-python-client makes of infra/openapi.json.

`cargo xtask clients python` generates the client as the package `store` and runs this file against
the local platform.
"""

import os
import time
import uuid
from http import HTTPStatus

from store import AuthenticatedClient, Client
from store.api.catalogue import list_products
from store.api.orders import create_order, delete_order, get_order
from store.api.people import post_address, post_session
from store.models import (
    AddressDraft,
    CountryCode,
    CreateOrder422,
    CreateOrder422ErrorCode,
    Credentials,
    CredentialsWrong,
    InvalidRequest,
    NotFound,
    OrderDraft,
    OrderItemInput,
    OrderStatus,
    PaymentMethod,
)
from store.types import UNSET

API_URL = os.environ["API_URL"]
SETTLE_LIMIT_S = 60


def main():
    with sign_in("customer@example.com", "correct-horse-battery") as client:
        products = browse(client)
        address_id = enter_address(client)
        product = next(product for product in products if product.available and product.stock >= 2)
        draft = OrderDraft(
            items=[OrderItemInput(product_id=product.product_id, quantity=2)],
            address_id=address_id,
            payment_method=PaymentMethod.CARD,
        )
        order_id = order(client, draft)
        wait_until_settled(client, order_id)
        see_refusals(client, draft)
        cancel(client, order_id)


def sign_in(email, password):
    with Client(base_url=API_URL) as visitor:
        wrong = Credentials(email=email, password="wrong-horse-battery")
        refused = post_session.sync(client=visitor, body=wrong)
        assert isinstance(refused, CredentialsWrong), refused

        entered = Credentials(email=email, password=password)
        answer = post_session.sync(client=visitor, body=entered)
    print(f"signed in as {email}")
    return AuthenticatedClient(base_url=API_URL, token=answer.data.access_token)


def browse(client):
    products, pages, cursor = [], 0, UNSET
    while True:
        page = list_products.sync(client=client, limit=2, cursor=cursor)
        products += page.data
        pages += 1
        cursor = page.next_cursor
        if cursor is UNSET:
            break
    assert pages >= 2, "the products of the demo take more than one page of two"
    assert len({product.product_id for product in products}) == len(products)

    refused = list_products.sync(client=client, cursor="!")
    assert isinstance(refused, InvalidRequest), refused
    assert refused.error.details[0].field == "query.cursor", refused
    print(f"saw {len(products)} products on {pages} pages")
    return products


def enter_address(client):
    address = AddressDraft(
        building_number=44, street_name="Main Street", city="Springfield", country=CountryCode.US
    )
    return post_address.sync(client=client, body=address).data.address_id


def order(client, draft):
    key = str(uuid.uuid4())
    first = create_order.sync_detailed(client=client, body=draft, idempotency_key=key)
    assert first.status_code == HTTPStatus.CREATED
    assert first.parsed.data.status is OrderStatus.PENDING

    again = create_order.sync_detailed(client=client, body=draft, idempotency_key=key)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.parsed == first.parsed
    print(f"ordered {first.parsed.data.order_id}, once")
    return first.parsed.data.order_id


def wait_until_settled(client, order_id):
    deadline = time.monotonic() + SETTLE_LIMIT_S
    while (seen := get_order.sync(order_id, client=client).data).status is OrderStatus.PENDING:
        assert time.monotonic() < deadline, "the order is still PENDING"
        time.sleep(0.2)
    assert seen.status is OrderStatus.APPROVED, seen
    assert 1 <= seen.serial_number <= 100, seen
    print(f"approved with the serial number {seen.serial_number}")


def see_refusals(client, draft):
    def place(quantity):
        item = OrderItemInput(product_id=uuid.uuid4(), quantity=quantity)
        another = OrderDraft(
            items=[item], address_id=draft.address_id, payment_method=draft.payment_method
        )
        key = str(uuid.uuid4())
        return create_order.sync(client=client, body=another, idempotency_key=key)

    match place(quantity=0):
        case InvalidRequest(error=error):
            assert [it.field for it in error.details] == ["/items/0/quantity"], error
        case other:
            raise AssertionError(other)

    match place(quantity=1):
        case CreateOrder422(error=error) if error.code is CreateOrder422ErrorCode.PRODUCT_UNKNOWN:
            print(f"refused: {error.message} {error.details[0].field}")
        case other:
            raise AssertionError(other)

    missing = get_order.sync(uuid.uuid4(), client=client)
    assert isinstance(missing, NotFound), missing


def cancel(client, order_id):
    cancelled = delete_order.sync_detailed(order_id, client=client)
    assert cancelled.status_code == HTTPStatus.NO_CONTENT, cancelled
    again = delete_order.sync(order_id, client=client)
    assert isinstance(again, NotFound), again
    print("called off, once")


if __name__ == "__main__":
    main()
