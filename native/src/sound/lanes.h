// What vector code may be used; no answer depends on it.
#pragma once

namespace speechmill {

enum class Lanes { fastest, portable };

}  // namespace speechmill
