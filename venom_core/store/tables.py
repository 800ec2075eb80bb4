"""The tables. A column's name says its unit; times are ISO 8601 in UTC with ``Z``.

A change here needs a revision in ``migrations/versions``; a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("sha256", LargeBinary(32), nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("revoked_at", String(32)),
    # Null stands for everything, as keys of the first schema may.
    Column("scopes", JSON),
    Column("models", JSON),
    Column("requests_per_day", Integer),
    Column("tokens_per_day", BigInteger),
    Column("expires_at", String(32)),
    Column("last_used_at", String(32)),
)

operations = Table(
    "operations",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("type", String(20), nullable=False),
    Column("status", String(20), nullable=False),
    Column("provider", String(50), nullable=False),
    Column("ref", String(200), nullable=False),
    Column("model_name", String(250), nullable=False),
    Column("progress", Integer, nullable=False),
    Column("bytes_done", BigInteger, nullable=False),
    Column("bytes_total", BigInteger),
    Column("message", Text, nullable=False),
    Column("parameters", JSON),
    Column("error", JSON),
    Column("key_id", String(16)),
    Column("started_at", String(32), nullable=False),
    Column("completed_at", String(32)),
    Index("operations_by_start", "started_at"),
)

active_models = Table(
    "active_models",
    metadata,
    Column("role", String(20), primary_key=True),
    Column("provider", String(50), nullable=False),
    Column("ref", String(200), nullable=False),
    Column("since", String(32), nullable=False),
)

# The model that was last active for chat at each provider: what a switch to it goes back to.
last_models = Table(
    "last_models",
    metadata,
    Column("provider", String(50), primary_key=True),
    Column("ref", String(200), nullable=False),
    Column("since", String(32), nullable=False),
)

service_history = Table(
    "service_history",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", String(32), nullable=False),
    Column("service", String(50), nullable=False),
    Column("action", String(20), nullable=False),
    Column("success", Boolean, nullable=False),
    Column("message", Text, nullable=False),
)

generation_overrides = Table(
    "generation_overrides",
    metadata,
    Column("provider", String(50), primary_key=True),
    Column("ref", String(200), primary_key=True),
    Column("parameters", JSON, nullable=False),
    Column("updated_at", String(32), nullable=False),
)

self_tests = Table(
    "self_tests",
    metadata,
    Column("provider", String(50), primary_key=True),
    Column("ref", String(200), primary_key=True),
    Column("digest", String(250)),
    Column("engine_version", String(100)),
    Column("venom_version", String(50), nullable=False),
    Column("tested_at", String(32), nullable=False),
    Column("rows", JSON, nullable=False),
)

benchmarks = Table(
    "benchmarks",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("status", String(20), nullable=False),
    Column("started_at", String(32), nullable=False),
    Column("completed_at", String(32), nullable=False),
    Column("num_questions", Integer, nullable=False),
    Column("venom_version", String(50), nullable=False),
    Column("machine", JSON, nullable=False),
    Column("results", JSON, nullable=False),
)

aliases = Table(
    "aliases",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("target", String(250), nullable=False),
    Column("created_at", String(32), nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", String(32), nullable=False),
    Column("action", String(50), nullable=False),
    Column("subject", String(250), nullable=False),
    Column("key_id", String(16)),
    Column("request_id", String(64)),
    Column("before", JSON),
    Column("after", JSON),
)

# An id is its client's own word: two keys may use the same one, and neither sees the other's. A key
# of "" stands for what was made while no key was needed.
sessions = Table(
    "sessions",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", String(64), nullable=False),
    Column("key_id", String(16), nullable=False),
    Column("title", String(200), nullable=False),
    Column("pinned", Boolean, nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("updated_at", String(32), nullable=False),
    Index("sessions_by_key", "key_id", "id", unique=True),
    Index("sessions_by_update", "updated_at"),
)

messages = Table(
    "messages",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("session", ForeignKey("sessions.number", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("parent_message_id", String(36)),
    Column("role", String(20), nullable=False),
    Column("content", Text, nullable=False),
    Column("model", String(250)),
    Column("details", JSON),
    Column("created_at", String(32), nullable=False),
    Index("messages_by_session", "session", "position", unique=True),
)

# Responses of OpenAI's API that a client had kept, each with what it was asked.
responses = Table(
    "responses",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("key_id", String(16), nullable=False),
    Column("previous_id", String(64)),
    Column("created_at", String(32), nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("input", JSON, nullable=False),
    Column("response", JSON, nullable=False),
    Index("responses_by_key", "key_id", "created_at"),
)

# A key of "" stands for requests without a key, so that the primary key can hold it.
usage_days = Table(
    "usage_days",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("key_id", String(16), primary_key=True),
    Column("provider", String(50), primary_key=True),
    Column("model", String(200), primary_key=True),
    Column("requests", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("without_usage", Integer, nullable=False),
    Column("prompt_tokens", BigInteger, nullable=False),
    Column("completion_tokens", BigInteger, nullable=False),
    Column("estimated_tokens", BigInteger, nullable=False),
    Column("first_tokens", Integer, nullable=False),
    Column("first_token_seconds", Float, nullable=False),
    Column("generation_tokens", BigInteger, nullable=False),
    Column("generation_seconds", Float, nullable=False),
)

usage_errors = Table(
    "usage_errors",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("key_id", String(16), primary_key=True),
    Column("provider", String(50), primary_key=True),
    Column("model", String(200), primary_key=True),
    Column("code", String(50), primary_key=True),
    Column("requests", Integer, nullable=False),
)
