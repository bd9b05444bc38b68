# SPDX-License-Identifier: Apache-2.0
"""The same POST /stats as a small service of the usual kind: FastAPI, SQLAlchemy, SQLite.

Written for bench/master.sh alone, in the manner of such services: a session a
request, a row committed before the answer, the key looked up by its hash, the
node's last report written along. SQLite runs in WAL mode with synchronous=FULL,
as the master's does.  uvicorn seed_api:app, SEED_DB=/path/of/file.db
"""
import hashlib
import os
from datetime import datetime, timezone

from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel, Field
from sqlalchemy import Column, DateTime, Float, ForeignKey, Integer, String, create_engine, event
from sqlalchemy.orm import Session, declarative_base, sessionmaker

engine = create_engine(f"sqlite:///{os.environ['SEED_DB']}", connect_args={"check_same_thread": False})


@event.listens_for(engine, "connect")
def set_up(connection, _):
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


Base = declarative_base()
Sessions = sessionmaker(bind=engine)


class Node(Base):
    __tablename__ = "nodes"
    id = Column(Integer, primary_key=True)
    hostname = Column(String, nullable=False)
    status = Column(String, nullable=False)
    key_hash = Column(String, unique=True, index=True)
    last_seen = Column(DateTime)


class Stat(Base):
    __tablename__ = "stats"
    id = Column(Integer, primary_key=True)
    node_id = Column(Integer, ForeignKey("nodes.id"), index=True)
    cpu_usage = Column(Float)
    disk_usage = Column(Float)
    active_backups = Column(Integer)
    timestamp = Column(DateTime)


class Sample(BaseModel):
    cpu_usage: float = Field(ge=0, le=100)
    disk_usage: float = Field(ge=0, le=100)
    active_backups: int = Field(ge=0)


def session():
    with Sessions() as db:
        yield db


def node_of(x_api_key: str = Header(), db: Session = Depends(session)) -> Node:
    found = db.query(Node).filter(Node.key_hash == hashlib.sha256(x_api_key.encode()).hexdigest()).first()
    if not found:
        raise HTTPException(401, "unknown key")
    if found.status != "active":
        raise HTTPException(403, "blocked")
    return found


app = FastAPI()


@app.get("/health")
def health():
    return {"status": "ok"}


@app.post("/api/v1/stats")
def stats(sample: Sample, node: Node = Depends(node_of), db: Session = Depends(session)):
    now = datetime.now(timezone.utc)
    db.add(Stat(node_id=node.id, timestamp=now, **sample.dict()))
    node.last_seen = now
    db.commit()
    return {"status": "recorded", "node": node.hostname}


def fill(count: int):
    Base.metadata.create_all(engine)
    with Sessions() as db:
        for i in range(1, count + 1):
            key = hashlib.sha256(b"bench-key-%06d" % i).hexdigest()
            db.add(Node(id=i, hostname=f"n{i}", status="active", key_hash=key))
        db.commit()


fill(int(os.environ.get("SEED_NODES", "1000")))
