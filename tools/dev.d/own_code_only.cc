// A plugin of clang-tidy 14: its checks look at the declarations of this tree alone. Without it they match every node
// of what Boost, gRPC and the standard library declare, which is most of what they see, and then say nothing of it.
// What a template of theirs becomes with a type of ours is not looked at either way; the analyzer's paths are as they
// were.
#include <vector>

#include "clang-tidy/ClangTidyCheck.h"
#include "clang-tidy/ClangTidyModule.h"
#include "clang-tidy/ClangTidyModuleRegistry.h"
#include "clang/AST/ASTContext.h"
#include "clang/ASTMatchers/ASTMatchFinder.h"

namespace {

// Finds nothing: it narrows what is walked through, at the moment at which the walk begins.
class OwnCodeOnly : public clang::tidy::ClangTidyCheck {
 public:
  using ClangTidyCheck::ClangTidyCheck;

  void registerMatchers(clang::ast_matchers::MatchFinder* finder) override {
    finder->addMatcher(clang::ast_matchers::translationUnitDecl(), this);
  }

  void check(const clang::ast_matchers::MatchFinder::MatchResult& result) override {
    std::vector<clang::Decl*> own;
    for (clang::Decl* declaration : result.Context->getTranslationUnitDecl()->decls()) {
      const clang::SourceLocation place = declaration->getLocation();
      if (place.isValid() && !result.SourceManager->isInSystemHeader(place)) own.push_back(declaration);
    }
    if (!own.empty()) result.Context->setTraversalScope(own);
  }
};

class Module : public clang::tidy::ClangTidyModule {
 public:
  void addCheckFactories(clang::tidy::ClangTidyCheckFactories& factories) override {
    factories.registerCheck<OwnCodeOnly>("smsflow-own-code-only");
  }
};

const clang::tidy::ClangTidyModuleRegistry::Add<Module> kModule("smsflow", "Its checks look at this tree alone.");

}  // namespace
