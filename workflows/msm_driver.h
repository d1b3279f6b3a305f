// Runs one event through a Boost.MSM definition. The only file that knows MSM's inside; include it from a workflow's
// one .cc that holds the table, never from a header.
//
// A Definition is a MachineOver<Definition, Context> with an initial_state and a transition_table, a
// boost::mp11::mp_list of boost::msm::front::Row. Its states are StateOf<number that is persisted>, its guards and
// actions GuardBy<function> and ActionBy<function>, plain functions over the context; each of them, and each event, has
// a static std::string_view kName.
//
// What MSM would do by itself and we must not have: swallow exceptions (it catches, and answers "handled"), number
// states by their place in the table (so its numbers never leave this file), run entry actions when a state is restored
// (so it is restored through MSM's serialization hook, which runs none). Rows with one source and event are tried from
// the last to the first: give them guards that exclude each other.
//
// A machine is built for each event and dropped: a few nanoseconds, and nothing to keep alive.
#pragma once

#include <array>
#include <boost/mp11.hpp>
#include <boost/mp11/mpl.hpp>  // lets MSM read an mp11 list as its transition table
#include <boost/msm/back/state_machine.hpp>
#include <boost/msm/front/functor_row.hpp>
#include <boost/msm/front/state_machine_def.hpp>
#include <cstddef>
#include <optional>
#include <string_view>
#include <type_traits>
#include <vector>

#include "workflows/workflow.h"

namespace smsflow::workflows {

enum class Ran : std::uint8_t {
  kMoved,     // a row applied, be it from a state to itself
  kRejected,  // there are rows, their guards all said no; nothing changed
  kNoRow,     // nothing changed
};

template <class Definition, class Context>
struct MachineOver : boost::msm::front::state_machine_def<Definition> {
  using no_exception_thrown = int;
  using no_message_queue = int;

  template <class E, class M>
  void no_transition(const E&, M&, int) {}  // told by what Run() returns; the default asserts

  Context* context = nullptr;  // what guards read and actions change
};
template <auto Id>
struct StateOf : boost::msm::front::state<> {
  static constexpr auto kId = Id;
};
template <auto Asks>
struct GuardBy {
  template <class E, class M, class S, class T>
  bool operator()(const E&, M& machine, S&, T&) const {
    return Asks(*machine.context);
  }
};
template <auto Does>
struct ActionBy {
  template <class E, class M, class S, class T>
  void operator()(const E&, M& machine, S&, T&) const {
    Does(*machine.context);
  }
};

// How a table names an event, a guard or an action; MSM's own stand-in for "none" has no name.
template <class T>
inline constexpr std::string_view kNameOf = T::kName;
template <>
inline constexpr std::string_view kNameOf<boost::msm::front::none> = {};

// Guards put together. Their names are what the diagram shows.
template <class Guard>
struct Not {
  static constexpr auto kText = [] {
    std::array<char, Guard::kName.size() + 1> text{'!'};
    for (std::size_t i = 0; i < Guard::kName.size(); ++i) text[i + 1] = Guard::kName[i];
    return text;
  }();
  static constexpr std::string_view kName{kText.data(), kText.size()};
  template <class E, class M, class S, class T>
  bool operator()(const E& event, M& machine, S& source, T& target) const {
    return !Guard{}(event, machine, source, target);
  }
};

template <class First, class Second>
struct And {
  static constexpr std::string_view kJoint = " & ";
  static constexpr auto kText = [] {
    std::array<char, First::kName.size() + kJoint.size() + Second::kName.size()> text{};
    std::size_t at = 0;
    for (const std::string_view part : {First::kName, kJoint, Second::kName})
      for (const char c : part) text[at++] = c;
    return text;
  }();
  static constexpr std::string_view kName{kText.data(), kText.size()};
  template <class E, class M, class S, class T>
  bool operator()(const E& event, M& machine, S& source, T& target) const {
    return First{}(event, machine, source, target) && Second{}(event, machine, source, target);
  }
};

template <class Definition>
class MsmDriver {
  using Machine = boost::msm::back::state_machine<Definition>;
  using Table = typename Definition::transition_table;

  template <class Set, class R>
  using AddStates = boost::mp11::mp_set_push_back<Set, typename R::Source, typename R::Target>;
  using States = boost::mp11::mp_fold<Table, boost::mp11::mp_list<>, AddStates>;
  using StateId = std::remove_cvref_t<decltype(boost::mp11::mp_front<States>::kId)>;

  template <class State>
  static constexpr int kMsmNumber = boost::msm::back::get_state_id<typename Machine::stt, State>::value;

  // By MSM's number.
  static constexpr auto kIds = [] {
    std::array<StateId, boost::mp11::mp_size<States>::value> ids{};
    boost::mp11::mp_for_each<boost::mp11::mp_transform<boost::mp11::mp_identity, States>>(
        [&]<class State>(boost::mp11::mp_identity<State>) {  // never runs but in the compiler
          ids[kMsmNumber<State>] = State::kId;
        });
    return ids;
  }();

  // Looks to MSM like an archive that is being read, and hands it the active state.
  class ActiveState {
   public:
    explicit ActiveState(int number) : number_(number) {}
    template <class T>
    ActiveState& operator&(T&) {
      return *this;
    }
    ActiveState& operator&(int (&active)[1]) {
      active[0] = number_;
      return *this;
    }

   private:
    int number_;
  };

  static std::optional<int> MsmNumberOf(StateId id) {
    for (std::size_t i = 0; i < kIds.size(); ++i)
      if (kIds[i] == id) return static_cast<int>(i);
    return std::nullopt;
  }

 public:
  // Leaves the state after `event` in `state`. A state that the table does not have takes no event: kNoRow.
  template <class Context, class Event>
  static Ran Run(StateId& state, Context& context, const Event& event) {
    const auto number = MsmNumberOf(state);
    if (!number) return Ran::kNoRow;
    Machine machine;
    machine.context = &context;
    ActiveState archive(*number);
    machine.serialize(archive, 0);
    const auto handled = machine.process_event(event);
    state = kIds[static_cast<std::size_t>(machine.current_state()[0])];
    if (handled == boost::msm::back::HANDLED_TRUE) return Ran::kMoved;
    return handled == boost::msm::back::HANDLED_GUARD_REJECT ? Ran::kRejected : Ran::kNoRow;
  }

  static std::vector<TableRow> Rows() {
    std::vector<TableRow> rows;
    boost::mp11::mp_for_each<boost::mp11::mp_transform<boost::mp11::mp_identity, Table>>(
        [&]<class R>(boost::mp11::mp_identity<R>) {
          rows.push_back({R::Source::kName, R::Evt::kName, R::Target::kName, kNameOf<typename R::Action>,
                          kNameOf<typename R::Guard>});
        });
    return rows;
  }
};

}  // namespace smsflow::workflows
