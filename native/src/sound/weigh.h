// Eight frames, each in its own place, laid side by side and weighed by a window.
#pragma once

#include <vector>

#include "sound/vectors.h"

namespace speechmill::sound {

// work[i].of[lane] = (frames[lane][i] - offsets.of[lane]) * window[i], each operation rounded to float.
void weigh(const FramePointers<std::int16_t>& frames, const std::vector<float>& window,
           const FrameFloats& offsets, FrameFloats* work, Lanes lanes);
void weigh(const FramePointers<float>& frames, const std::vector<float>& window, const FrameFloats& offsets,
           FrameFloats* work, Lanes lanes);

}  // namespace speechmill::sound
