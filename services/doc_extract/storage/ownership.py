"""Whose results a call may see: what it may not read does not exist for it."""

from typing import Any

import sqlalchemy as sql

from bankai import vouching


def readable(channel: sql.Column[Any], kind: sql.Column[Any] | None = None) -> sql.ColumnElement[bool]:
    """The condition on rows that the current call's channel may read, change and erase.

    Args:
        channel: Column with the channel that a row belongs to.
        kind: Column with the kind of the document, where rows of kinds that it may not read shall be left out, too.
    """
    vouch = vouching.current()
    conditions: list[sql.ColumnElement[bool]] = [sql.true()]
    if vouch.readable is not None:
        conditions.append(channel.in_(vouch.readable))
    if kind is not None and vouch.document_kinds is not None:
        conditions.append(kind.in_(vouch.document_kinds))
    return sql.and_(*conditions)
