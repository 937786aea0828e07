"""Why a run went as it did: it is made again with somebody who looks closer, so that nothing extra has to be stored."""
