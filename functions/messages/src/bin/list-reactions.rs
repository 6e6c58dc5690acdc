fn main() -> std::process::ExitCode {
    messages::list_reactions::main()
}
