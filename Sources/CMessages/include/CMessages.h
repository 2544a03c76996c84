// Every generated message; made by scripts/generate-messages.sh.
#include "generated/grpc/health/v1/health.pb-c.h"
#include "generated/grpc/reflection/v1/reflection.pb-c.h"
#include "generated/tributary/test/v1/echo.pb-c.h"
#include "generated/tributary/v1/items.pb-c.h"
#include "generated/tributary/v1/ranking.pb-c.h"
#include "generated/tributary/v1/recall.pb-c.h"
#include "generated/tributary/v1/recommender.pb-c.h"
#include "generated/tributary/v1/snapshots.pb-c.h"
