import gc
from datetime import UTC, datetime, timedelta

import dask
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from distributed import Client

from convscope.base.errors import UserError
from convscope.training.cluster import driver
from tests.training.cluster.conftest import cluster_in


def certificates(folder):
    """A certificate for this machine that signs itself, and its key; their files."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "toy")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(1))
    made = builder.sign(key, hashes.SHA256())
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "cert.pem").write_bytes(made.public_bytes(pem))
    form = serialization.PrivateFormat.TraditionalOpenSSL
    (folder / "key.pem").write_bytes(key.private_bytes(pem, form, plain))
    return str(folder / "cert.pem"), str(folder / "key.pem")


def test_certificates_are_those_of_dasks_configuration(tmp_path):
    cert, key = certificates(tmp_path)
    tls = {"CA_FILE": cert, "SCHEDULER__CERT": cert, "SCHEDULER__KEY": key}
    settings = {f"DASK_DISTRIBUTED__COMM__TLS__{name}": value for name, value in tls.items()}
    # Dask reads its configuration when it is imported
    with cluster_in(tmp_path, cold=True, **settings) as cluster:
        assert cluster.address.startswith("tls://")
        own = {"ca-file": cert, "client.cert": cert, "client.key": key}
        trusted = dask.config.set({f"distributed.comm.tls.{name}": own[name] for name in own})
        with trusted, driver._connected(cluster.address) as client:
            assert client.nthreads() == {}
        with pytest.raises(
            UserError, match=r"tls://.*: no scheduler answers \(TLS .*\): start one"
        ):
            driver._connected(cluster.address).__enter__()
    # one left open is closed by the garbage collector, which may be while another starts: that
    # then waits for a lock that it holds itself
    clients = [each for each in gc.get_objects() if isinstance(each, Client)]
    assert {client.status for client in clients} <= {"closed"}
