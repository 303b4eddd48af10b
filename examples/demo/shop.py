"""The shop's warehouse: CDNOW's purchases, and which of its customers Engage knows."""

from pathlib import Path
from typing import Any

from tests.controlplane.postgres import Postgres

PURCHASES = Path(__file__).parents[1] / "data" / "cdnow_sample.csv"
# The purchases are real, the rest is made up: a third of the customers is known by e-mail alone, and every 40th has
# never become a contact in Engage; every 25th says no to e-mail 45 days after the first purchase.
SETUP = """
create table customers as
    select customer_id, person, in_engage, 'customer-' || customer_id || '@example.com' as email,
           case when in_engage and customer_id::int % 3 > 0 then person end as contact_id
    from (select customer_id, md5('cdnow ' || customer_id)::uuid as person, customer_id::int % 40 <> 7 as in_engage
          from (select distinct customer_id from purchases) numbers) people;
create table email_opt_outs as
    select customer_id, min(purchase_date) + 45 as decided_on from purchases
    where customer_id::int % 25 = 0 group by customer_id;
create table calendar as select date '1997-01-31' as today;
"""
# What the label and the preference should hold, told apart from how the manifests ask for it.
VIPS = """
select person from customers where in_engage and customer_id in (
    select customer_id from purchases, calendar where today - purchase_date between 0 and 89
    group by customer_id having sum(amount_usd) >= 50)
"""
OPTED_OUT = """
select person from customers where in_engage and customer_id in (
    select customer_id from email_opt_outs, calendar where decided_on <= today)
"""


class Shop:
    """The tables, the passing of time, and the truth."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres
        postgres.execute(
            "create table purchases (master_id text, customer_id text, purchase_date date, quantity int, "
            "amount_usd numeric(8, 2))"
        )
        postgres.load_csv("purchases", PURCHASES)
        postgres.execute(SETUP)

    def contacts(self) -> list[dict[str, Any]]:
        """The customers that Engage knows, all of whom may be reached by e-mail."""
        rows = self._postgres.execute("select person, email from customers where in_engage")
        return [{"id": person, "email": email, "preferences": {"acceptsEmail": True}} for person, email in rows]

    def pass_time(self, today: str) -> None:
        self._postgres.execute(f"update calendar set today = date '{today}'")

    def vips(self) -> set[str]:
        return self._postgres.column(VIPS)

    def opted_out(self) -> set[str]:
        return self._postgres.column(OPTED_OUT)

    def lose_the_purchases(self) -> None:
        """Somebody renames a table."""
        self._postgres.execute("alter table purchases rename to purchases_v2")

    def find_the_purchases(self) -> None:
        self._postgres.execute("alter table purchases_v2 rename to purchases")
