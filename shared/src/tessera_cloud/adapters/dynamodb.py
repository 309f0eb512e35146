"""Shared records in a DynamoDB table with hash key `kind` and range key `name`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from tessera_cloud.adapters.aws_errors import call
from tessera_cloud.errors import CounterFullError, ObjectChangedError
from tessera_cloud.ports import StateItem


def _item(attributes: Mapping[str, Mapping[str, str]]) -> StateItem:
    return StateItem(
        attributes["kind"]["S"],
        attributes["name"]["S"],
        int(attributes["version"]["N"]),
        json.loads(attributes["value"]["S"]),
    )


class DynamoDbState:
    """Records in a table. Every read is consistent.

    Parameters
    ----------
    client : boto3 DynamoDB client
        Client with standard retries.
    table : str
        Name of the table.
    """

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def _what(self, verb: str, kind: str, name: str) -> str:
        return f"{verb} record {kind}/{name} of table {self._table}"

    def get(self, kind: str, name: str) -> StateItem | None:
        """See `StateStore.get`."""
        key = {"kind": {"S": kind}, "name": {"S": name}}
        answer = call(
            self._what("read", kind, name), self._client.get_item, TableName=self._table, Key=key, ConsistentRead=True
        )
        return _item(answer["Item"]) if "Item" in answer else None

    def put(self, kind: str, name: str, value: Mapping[str, Any], *, over: int, expires: float | None = None) -> int:
        """See `StateStore.put`."""
        version = over + 1
        item: dict[str, dict[str, str]] = {
            "kind": {"S": kind},
            "name": {"S": name},
            "version": {"N": str(version)},
            "value": {"S": json.dumps(value)},
        }
        if expires is not None:
            item["expires"] = {"N": str(int(expires))}
        condition: dict[str, Any] = {
            "ConditionExpression": "#version = :over",
            "ExpressionAttributeNames": {"#version": "version"},
            "ExpressionAttributeValues": {":over": {"N": str(over)}},
        }
        if over == 0:
            condition["ConditionExpression"] = "attribute_not_exists(#version)"
            del condition["ExpressionAttributeValues"]
        what = self._what("write", kind, name)
        call(what, self._client.put_item, TableName=self._table, Item=item, **condition)
        return version

    def add(self, kind: str, name: str, amount: int, *, most: int | None = None, expires: float | None = None) -> int:
        """See `StateStore.add`."""
        update, names = "ADD #total :amount", {"#total": "total"}
        values = {":amount": {"N": str(amount)}}
        more: dict[str, Any] = {}
        if expires is not None:
            update += " SET #expires = if_not_exists(#expires, :expires)"
            names["#expires"], values[":expires"] = "expires", {"N": str(int(expires))}
        if most is not None:
            if amount > most:
                raise CounterFullError(f"add to counter {kind}/{name}: more than {most}")
            more["ConditionExpression"] = "attribute_not_exists(#total) or #total <= :room"
            values[":room"] = {"N": str(most - amount)}
        what = self._what("add to", kind, name)
        try:
            answer = call(
                what,
                self._client.update_item,
                TableName=self._table,
                Key={"kind": {"S": kind}, "name": {"S": name}},
                UpdateExpression=update,
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
                **more,
            )
        except ObjectChangedError as error:
            raise CounterFullError(f"{what}: more than {most}") from error
        return int(answer["Attributes"]["total"]["N"])

    def remove(self, item: StateItem) -> None:
        """See `StateStore.remove`."""
        with suppress(ObjectChangedError):
            call(
                self._what("remove", item.kind, item.name),
                self._client.delete_item,
                TableName=self._table,
                Key={"kind": {"S": item.kind}, "name": {"S": item.name}},
                ConditionExpression="#version = :version",
                ExpressionAttributeNames={"#version": "version"},
                ExpressionAttributeValues={":version": {"N": str(item.version)}},
            )

    def query(self, kind: str, prefix: str = "") -> Iterator[StateItem]:
        """See `StateStore.query`."""
        condition = "#kind = :kind"
        names, values = {"#kind": "kind"}, {":kind": {"S": kind}}
        if prefix:
            condition += " and begins_with(#name, :prefix)"
            names["#name"], values[":prefix"] = "name", {"S": prefix}
        start: dict[str, Any] = {}
        while True:
            page = call(
                self._what("list", kind, f"{prefix}*"),
                self._client.query,
                TableName=self._table,
                KeyConditionExpression=condition,
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
                ConsistentRead=True,
                **start,
            )
            yield from (_item(found) for found in page["Items"] if "version" in found)
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
