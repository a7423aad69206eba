// Mutex that lets waiting readers in before the busy writer.
#pragma once

#include <atomic>
#include <mutex>
#include <thread>

namespace mtawatch::base {

// The one writer takes and releases it thousands of times a second; with a plain mutex a reader would starve.
class TurnLock {
  public:
    void lock_writer() {
        while (waiting_.load(std::memory_order_acquire) > 0) std::this_thread::yield();
        mutex_.lock();
    }
    void lock_reader() {
        waiting_.fetch_add(1, std::memory_order_acq_rel);
        mutex_.lock();
        waiting_.fetch_sub(1, std::memory_order_acq_rel);
    }
    void unlock() { mutex_.unlock(); }

  private:
    std::mutex mutex_;
    std::atomic<int> waiting_{0};
};

class WriterTurn {
  public:
    explicit WriterTurn(TurnLock& lock) : lock_(lock) { lock_.lock_writer(); }
    WriterTurn(const WriterTurn&) = delete;
    WriterTurn& operator=(const WriterTurn&) = delete;
    ~WriterTurn() { lock_.unlock(); }

  private:
    TurnLock& lock_;
};

class ReaderTurn {
  public:
    explicit ReaderTurn(TurnLock& lock) : lock_(lock) { lock_.lock_reader(); }
    ReaderTurn(const ReaderTurn&) = delete;
    ReaderTurn& operator=(const ReaderTurn&) = delete;
    ~ReaderTurn() { lock_.unlock(); }

  private:
    TurnLock& lock_;
};

}  // namespace mtawatch::base
