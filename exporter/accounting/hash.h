// The hash of shared/base under the names that the accounting code uses.
#pragma once

#include "shared/base/hash.h"

namespace mtawatch::exporter {

using base::hash_bytes;
using base::kHashSeed;
using base::kHashStep;
using base::load8;
using base::load_up_to_8;
using base::mix;
using base::same_bytes;

}  // namespace mtawatch::exporter
