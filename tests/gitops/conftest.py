"""One control plane and one operator for what Argo CD and Flux would see.

The fixtures are those of tests/cluster, given anew, so that they start apart from the ones there: of two operators on
one control plane the second only waits.
"""

from tests.cluster.conftest import engage as engage
from tests.cluster.conftest import operator as operator
from tests.cluster.conftest import postgres as postgres
from tests.cluster.conftest import world as world
from tests.conftest import cluster as cluster
