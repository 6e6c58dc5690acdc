fn main() -> std::process::ExitCode {
    messages::remove_reaction::main()
}
