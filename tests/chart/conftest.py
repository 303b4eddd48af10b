from tests.cluster.conftest import engage as engage
from tests.cluster.conftest import postgres as postgres
from tests.cluster.conftest import world as world
