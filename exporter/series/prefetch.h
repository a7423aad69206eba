// Cache prefetch hint.
#pragma once

namespace mtawatch::exporter::series {

// Only a hint. GCC takes a function that does nothing but prefetch for one without effect and leaves its calls out; the
// empty statement is an effect.
inline void prefetch(const void* at) {
    __builtin_prefetch(at);
    asm volatile("");  // NOLINT(hicpp-no-assembler)
}

}  // namespace mtawatch::exporter::series
