fn main() -> std::process::ExitCode {
    messages::add_reaction::main()
}
